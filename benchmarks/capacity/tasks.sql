-- The rows of a database with TASKS tasks. Half of the tasks are personal, a quarter is in 100 large projects, and a
-- quarter in small projects of 500 tasks. User 1 and user 2 own a two-thousandth of the tasks each, all of them personal.
-- User 1 is a member of the large projects 1 to 50, where a fiftieth of the tasks is assigned to user 1; user 2 of none.
SET statement_timeout = 0;
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.id(number bigint) RETURNS uuid LANGUAGE sql
RETURN ('00000000-0000-4000-8000-' || lpad(to_hex(number), 12, '0'))::uuid;
CREATE FUNCTION pg_temp.one(words text[], number bigint) RETURNS text LANGUAGE sql
RETURN words[1 + number % cardinality(words)];

INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at, updated_at)
SELECT pg_temp.id(i), 'user' || i, 'user' || i || '@example.org', '!', 'USER', true, 1, now(), now()
FROM generate_series(1, USERS) AS i;
INSERT INTO sessions (id, user_id, token_hash, key_id, ip_address, created_at, expires_at)
SELECT pg_temp.id(i), pg_temp.id(i), sha256(i::text::bytea), 'dev', '127.0.0.1', now(), now() + interval '30 days'
FROM generate_series(1, 2) AS i;

INSERT INTO projects (id, key, name, description, is_archived, version, created_at, updated_at)
SELECT pg_temp.id(i), 'P' || i, 'Project ' || i, '', false, 1, now(), now() FROM generate_series(1, 100 + SMALL) AS i;
INSERT INTO project_keys (key, project_id) SELECT key, id FROM projects;
INSERT INTO task_counters (id, last, last_rank) SELECT id, TASKS, 0 FROM projects;
INSERT INTO labels (id, project_id, name, folded_name, color, version, created_at, updated_at)
SELECT pg_temp.id(10 * p + n), pg_temp.id(p), 'Label ' || n, 'label ' || n, '#1a7f37', 1, now(), now()
FROM generate_series(1, 100 + SMALL) AS p, generate_series(0, 9) AS n;
INSERT INTO memberships (id, project_id, user_id, role, created_at)
SELECT gen_random_uuid(), pg_temp.id(p), pg_temp.id(u), 'MEMBER', now() FROM (
    SELECT p, 1 AS u FROM generate_series(1, 50) AS p
    UNION SELECT p, 3 + (p * 31 + n * 37) % (USERS - 2) FROM generate_series(1, 100) AS p, generate_series(1, 20) AS n
    UNION SELECT p, 3 + (p * 31 + n * 37) % (USERS - 2)
    FROM generate_series(101, 100 + SMALL) AS p, generate_series(1, 5) AS n
) AS joined;

INSERT INTO tasks (id, title, description, status, priority, due_at, owner_id, assignee_id, version, created_at,
                   updated_at, project_id, number, rank, label_ids)
SELECT pg_temp.id(i),
       pg_temp.one('{Mend,Paint,Check,Order,Clean,Sell,Move,Test,Sand,Weigh}', i * 7919 / 64) || ' '
           || pg_temp.one('{boat,mast,sail,rope,hull,deck,winch,anchor,rudder,compass,engine,pump}', i * 104729 / 512)
           || ' ' || i,
       'Look after ' || pg_temp.one('{timber,varnish,canvas,bolts,cables,filters,papers}', i * 31 / 16) || ' '
           || to_hex(i * 7919),
       pg_temp.one('{TODO,IN_PROGRESS,DONE,DONE,DONE,DONE,DONE,CANCELLED}', i * 7919 / 128), 1 + i * 7919 / 32 % 4,
       CASE WHEN i * 7919 / 8 % 2 = 0 THEN now() + (i * 7919 % 100000) * interval '1 minute' END,
       pg_temp.id(CASE i % 2000 WHEN 1 THEN 1 WHEN 3 THEN 2 ELSE 3 + i * 7919 % (USERS - 2) END),
       CASE WHEN project <= 50 AND i / 400 % 50 = 0 THEN pg_temp.id(1)
            WHEN i * 7919 / 256 % 3 = 0 THEN pg_temp.id(3 + i * 104729 % (USERS - 2)) END,
       1, now() - (TASKS - i) * interval '10 seconds', now() - (TASKS - i) * interval '9 seconds',
       CASE WHEN project > 0 THEN pg_temp.id(project) END, CASE WHEN project > 0 THEN i END,
       CASE WHEN project > 0 THEN 'a' || lpad(to_hex(i), 8, '0') || '1' END,
       CASE WHEN project > 0 THEN ARRAY[pg_temp.id(10 * project + i * 7919 / 64 % 10)] ELSE '{}' END
FROM (SELECT i, CASE i % 4 WHEN 0 THEN 1 + i / 4 % 100 WHEN 2 THEN 101 + i / 4 % SMALL ELSE 0 END AS project
      FROM generate_series(1::bigint, TASKS) AS i) AS numbered;
INSERT INTO task_texts (task_id, title, description, project_id) SELECT id, title, description, project_id FROM tasks;
