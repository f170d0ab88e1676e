"""What goes on around every job."""
