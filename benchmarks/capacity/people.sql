-- Users, projects with one task each, and memberships, from three arrays. User 1 manages every project and owns the tasks.
SET statement_timeout = 0;
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.id(number bigint) RETURNS uuid LANGUAGE sql
RETURN ('00000000-0000-4000-8000-' || lpad(to_hex(number), 12, '0'))::uuid;

INSERT INTO users (id, username, email, password_hash, role, is_active, access_version, created_at, updated_at)
SELECT pg_temp.id(i), 'user' || i, 'user' || i || '@example.org', '!', 'USER', true, 1, now(), now()
FROM unnest('{USERS}'::bigint[]) AS i;
INSERT INTO sessions (id, user_id, token_hash, key_id, ip_address, created_at, expires_at)
SELECT id, id, sha256(id::text::bytea), 'dev', '127.0.0.1', now(), now() + interval '30 days' FROM users;
INSERT INTO projects (id, key, name, description, is_archived, version, created_at, updated_at)
SELECT pg_temp.id(i), 'P' || i, 'Project ' || i, '', false, 1, now(), now() FROM unnest('{PROJECTS}'::bigint[]) AS i;
INSERT INTO project_keys (key, project_id) SELECT key, id FROM projects;
INSERT INTO task_counters (id, last, last_rank) SELECT id, 1, 0 FROM projects;
INSERT INTO tasks (id, title, description, status, priority, owner_id, version, created_at, updated_at, project_id, number,
                   rank, label_ids)
SELECT id, 'Mend the boat', '', 'TODO', 2, pg_temp.id(1), 1, now(), now(), id, 1, 'a000000011', '{}' FROM projects;
INSERT INTO task_texts (task_id, title, description, project_id) SELECT id, title, description, project_id FROM tasks;
