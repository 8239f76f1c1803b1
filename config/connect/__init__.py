"""The Connect page: for whatever already reports usage, the lines that let it report here."""
