"""People: registration, sign-in, sessions, the own profile."""
