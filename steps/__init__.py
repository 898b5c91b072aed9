"""The vocabulary of the test cases: what a sentence may say, and what it means."""
