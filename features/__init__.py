"""The test cases: a folder per feature profile, a file per chapter, a scenario per test case."""
