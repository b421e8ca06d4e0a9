"""What is measured: `make bench`, explained in README.md beside this file."""
