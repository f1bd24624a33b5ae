"""How much one primary and one process can hold: tasks, members of a project, and open sockets."""
