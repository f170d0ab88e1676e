"""pandas: `read_csv` of the export's address, and `to_sql`, a chunk at a time."""

import sys

import pandas as pd
import sqlalchemy

portal, database, _folder = sys.argv[1:]
engine = sqlalchemy.create_engine(database.replace("postgresql:", "postgresql+psycopg2:"))
url = f"{portal}/api/explore/v2.1/catalog/datasets/numbers/exports/csv"
chunks = pd.read_csv(url, sep=";", parse_dates=["at"], chunksize=100_000)
with engine.begin() as connection:
    for number, chunk in enumerate(chunks):
        chunk.to_sql("t", connection, if_exists="append" if number else "replace", index=False)
