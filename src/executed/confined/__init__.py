"""What a process of a page may not do; the folder is put on the path of those it starts."""
