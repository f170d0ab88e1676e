"""The hook: Airflow's way to a portal."""

from ods_provider.hooks.required import require_airflow

require_airflow()
