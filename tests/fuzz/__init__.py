"""Coverage-guided fuzzing of every decoder; what it has found is kept in found/ and tried again by each test run."""
