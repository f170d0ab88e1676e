"""A script: `requests` brings the export into a file, and `COPY` reads it."""

import shutil
import sys

import psycopg2
import requests

portal, database, folder = sys.argv[1:]
url = f"{portal}/api/explore/v2.1/catalog/datasets/numbers/exports/csv"
with requests.get(url, stream=True, timeout=60) as response, open(f"{folder}/numbers.csv", "wb") as file:
    response.raise_for_status()
    response.raw.decode_content = True
    shutil.copyfileobj(response.raw, file)
with (
    psycopg2.connect(database) as connection,
    connection.cursor() as cursor,
    open(f"{folder}/numbers.csv", "rb") as file,
):
    cursor.execute("TRUNCATE t")
    cursor.copy_expert("COPY t FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';')", file)
