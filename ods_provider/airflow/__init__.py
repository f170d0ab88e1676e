"""What Airflow asks beside hooks, operators, sensors and triggers: its commands, and how our tasks wait and fail."""
