-- The rows of a large database. A sixth of the tasks are in project 1, and a sixth in the other projects, equally many in
-- each. Ids are made of numbers, so that tests know them without a query:
-- user 1 is an admin, 2 a moderator, 3 owns a fifth of all tasks, 4 has little to do, 5 to 2,000 are the rest.
BEGIN;
SET LOCAL statement_timeout = '60s';
-- Nothing here refers to what does not exist, and looking that up row by row would take half the time. Triggers rest, too.
SET LOCAL session_replication_role = replica;
SELECT setseed(0.5);

CREATE FUNCTION pg_temp.id(number bigint) RETURNS uuid LANGUAGE sql
RETURN ('00000000-0000-4000-8000-' || lpad(to_hex(number), 12, '0'))::uuid;

CREATE FUNCTION pg_temp.later(minutes double precision) RETURNS timestamptz LANGUAGE sql
RETURN '2026-01-01 00:00Z'::timestamptz + minutes * interval '1 minute';

INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at, updated_at)
SELECT pg_temp.id(i), 'user' || i, 'user' || i || '@example.org', '!',
       CASE i WHEN 1 THEN 'ADMIN' WHEN 2 THEN 'MODERATOR' ELSE 'USER' END, true, 1, pg_temp.later(i), pg_temp.later(i)
FROM generate_series(1, 2000) AS i;

INSERT INTO sessions (id, user_id, token_hash, key_id, ip_address, created_at, expires_at)
SELECT pg_temp.id(i), pg_temp.id(1 + i % 2000), sha256(i::text::bytea), 'dev', '127.0.0.1', pg_temp.later(i),
       pg_temp.later(i + 10000)
FROM generate_series(1, 10000) AS i;

INSERT INTO access_tokens (id, user_id, name, token_hash, scopes, created_at, expires_at)
SELECT pg_temp.id(i), pg_temp.id(1 + i % 2000), 'token ' || i, sha256(('pat' || i)::bytea), ARRAY['tasks:read'],
       pg_temp.later(i), pg_temp.later(i + 10000)
FROM generate_series(1, 10000) AS i;

INSERT INTO used_tokens (token_hash, session_id, used_at)
SELECT sha256(('used' || i)::bytea), pg_temp.id(i), pg_temp.later(i + 1) FROM generate_series(1, 10000) AS i;

INSERT INTO tasks
    (id, title, description, status, priority, due_at, owner_id, assignee_id, version, created_at, updated_at,
     project_id, number, rank, parent_id, label_ids)
SELECT pg_temp.id(i), 'Mend boat ' || i, 'Look after hull ' || to_hex(i::bigint * 7919),
       (ARRAY['TODO', 'TODO', 'TODO', 'IN_PROGRESS', 'DONE', 'DONE', 'DONE', 'DONE', 'DONE', 'CANCELLED'])
           [1 + floor(random() * 10)],
       (ARRAY[1, 1, 2, 2, 2, 2, 2, 3, 3, 4])[1 + floor(random() * 10)],
       CASE WHEN random() < 0.5 THEN pg_temp.later(random() * 100000) END,
       pg_temp.id(CASE WHEN i % 5 = 0 THEN 3 WHEN i % 5000 = 1 THEN 4 ELSE 5 + floor(random() * 1995)::bigint END),
       pg_temp.id(CASE WHEN i % 5000 = 2 THEN 4 WHEN random() < 0.3 THEN 5 + floor(random() * 1995)::bigint END),
       1, pg_temp.later(i), pg_temp.later(i + random() * 1000),
       CASE WHEN i % 6 = 0 THEN pg_temp.id(1) WHEN i % 6 = 3 THEN pg_temp.id(1 + (i / 6) % 2000) END,
       CASE WHEN i % 3 = 0 THEN i END,
       CASE WHEN i % 3 = 0 THEN 'V' || lpad((i * 7919 % 100003)::text, 7, '0') END,
       CASE WHEN i % 60 = 6 AND i > 6 THEN pg_temp.id(i - 6) END,
       CASE WHEN i % 60 = 0 THEN ARRAY[pg_temp.id(1), pg_temp.id(2)] WHEN i % 6 = 3 THEN ARRAY[pg_temp.id(1 + 5 * ((i / 6) % 2000))]
            ELSE '{}' END
FROM generate_series(1, 100000) AS i;

INSERT INTO trash
    (id, title, description, status, priority, owner_id, version, created_at, updated_at, project_id, number,
     comment_count, label_ids, rank, subtask_count, done_subtask_count, root_id, deleted_at, deleted_by)
SELECT pg_temp.id(200000 + i), 'Old boat ' || i, '', 'TODO', 2, pg_temp.id(3), 2, pg_temp.later(i), pg_temp.later(i),
       CASE WHEN i % 2 = 0 THEN pg_temp.id(1 + (i / 2) % 20) END, CASE WHEN i % 2 = 0 THEN 200000 + i END, 0, '{}',
       CASE WHEN i % 2 = 0 THEN 'W' || lpad(i::text, 7, '0') END, 0, 0, pg_temp.id(200000 + i), pg_temp.later(i), pg_temp.id(3)
FROM generate_series(1, 10000) AS i;

INSERT INTO task_texts (task_id, title, description, project_id) SELECT id, title, description, project_id FROM tasks;

INSERT INTO comments (id, task_id, author_id, text, version, created_at, updated_at)
SELECT pg_temp.id(i), pg_temp.id(1 + i % 20000), pg_temp.id(5 + i % 1995), 'Comment ' || i, 1, pg_temp.later(i), pg_temp.later(i)
FROM generate_series(1, 100000) AS i;

INSERT INTO events (position, kind, task_id, payload, recorded_at)
SELECT i, 'TASK', pg_temp.id(1 + i % 50000), event, pg_temp.later(i) FROM generate_series(1, 100000) AS i,
     (SELECT jsonb_build_object('task', pg_temp.id(1), 'version', 1, 'changes', '[]'::jsonb, 'from', NULL, 'to', 'TODO',
          'title', 'Mend boat', 'before', NULL, 'after', NULL, 'by', pg_temp.id(1), 'at', '2026-01-01T00:00:00+00:00',
          'request', NULL) AS event) AS one;
INSERT INTO idempotency_keys (scope, fingerprint, object_id, created_at, actor_id)
SELECT sha256(i::text::bytea), sha256('one'), pg_temp.id(i), pg_temp.later(i), pg_temp.id(1 + i % 2000) FROM generate_series(1, 10000) AS i;

INSERT INTO audit_entries (id, at, times, actor_id, action, details)
SELECT pg_temp.id(i), pg_temp.later(i), 1, pg_temp.id(1 + i % 2000), CASE WHEN i % 100 = 0 THEN 'ROLE_CHANGED' ELSE 'SIGNED_IN' END, '{}'
FROM generate_series(1, 50000) AS i;

-- User 4 is a member of every second project, user 3 of three; each project has ten other members.
INSERT INTO projects (id, key, name, description, is_archived, version, created_at, updated_at)
SELECT pg_temp.id(i), 'P' || i, 'Project ' || i, '', i % 10 = 0, 1, pg_temp.later(i), pg_temp.later(i)
FROM generate_series(1, 2000) AS i;

INSERT INTO task_counters (id, last) SELECT id, 100000 FROM projects;

INSERT INTO labels (id, project_id, name, folded_name, color, version, created_at, updated_at)
SELECT pg_temp.id(i), pg_temp.id(1 + (i - 1) / 5), 'Label ' || i, 'label ' || i, '#1a7f37', 1, pg_temp.later(i), pg_temp.later(i)
FROM generate_series(1, 10000) AS i;

INSERT INTO project_keys (key, project_id)
SELECT 'P' || i, pg_temp.id(i) FROM generate_series(1, 2000) AS i
UNION ALL SELECT 'OLD' || i, pg_temp.id(i) FROM generate_series(1, 2000) AS i;

INSERT INTO memberships (id, project_id, user_id, role, created_at)
SELECT gen_random_uuid(), pg_temp.id(project), pg_temp.id(member), (ARRAY['VIEWER', 'MEMBER', 'MANAGER'])[1 + project % 3],
       pg_temp.later(project)
FROM (SELECT i AS project, 5 + (i * 7 + n * 199) % 1995 AS member
      FROM generate_series(1, 2000) AS i, generate_series(1, 10) AS n
      UNION SELECT i, 4 FROM generate_series(1, 2000, 2) AS i
      UNION SELECT i, 3 FROM generate_series(1, 3) AS i) AS joined;

COMMIT;
