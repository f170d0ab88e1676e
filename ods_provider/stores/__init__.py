"""What must outlive a process: confirmed units of work, OAuth2 tokens, this user's own state."""
