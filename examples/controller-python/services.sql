-- The services to run. controller.py makes services.db from this when there is none.
-- After a change: kill -HUP the daemonproxy.

BEGIN;

CREATE TABLE service (
    name    TEXT PRIMARY KEY,               -- 1 to 31 of A-Z a-z 0-9 . _ -
    args    TEXT NOT NULL,                  -- program and arguments, quoted as for a shell
    fds     TEXT NOT NULL                   -- handles for the descriptors 0, 1, 2, ...
            DEFAULT 'null log.w log.w',
    delay   INTEGER NOT NULL DEFAULT 1,     -- seconds before a restart, if it ran less than that
    enabled INTEGER NOT NULL DEFAULT 1      -- 0: defined, but not to run
);

INSERT INTO service (name, args) VALUES
    ('clock', '/bin/sh -c "while :; do date; sleep 1; done"'),
    ('count', '/bin/sh -c "for n in 1 2 3; do echo $n of $$; sleep 1; done"');

COMMIT;
