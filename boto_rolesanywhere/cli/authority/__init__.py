"""The parts of the command ``ca``: one file for each group of its actions."""
