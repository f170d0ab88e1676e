"""The hook: Airflow's way to a portal."""
