"""`manage.py mash_repl`: talking to a deployment's agents from a terminal or a pipe."""
