"""Airflow's HTTP operator, and `COPY` of what it returns.

Both bodies run one after the other in one process; the database of XComs, through which the text goes from one task to
the next in a DAG, is left out, in the rival's favour.
"""

import io
import os
import sys

import psycopg2

portal, database, folder = sys.argv[1:]
os.environ |= {"AIRFLOW_HOME": folder, "AIRFLOW_CONN_PORTAL": portal}

from airflow.providers.http.operators.http import HttpOperator  # noqa: E402

fetch = HttpOperator(
    task_id="fetch",
    http_conn_id="portal",
    method="GET",
    endpoint="/api/explore/v2.1/catalog/datasets/numbers/exports/csv",
    response_filter=lambda response: response.text,
)
text = fetch.execute({})
with psycopg2.connect(database) as connection, connection.cursor() as cursor:
    cursor.execute("TRUNCATE t")
    cursor.copy_expert("COPY t FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';')", io.StringIO(text))
