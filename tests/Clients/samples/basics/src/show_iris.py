"""Shows the head of a table, and keeps a copy of it among the artifacts."""

import argparse
import os

import pandas

parser = argparse.ArgumentParser(prog="show_iris")
parser.add_argument("--table", required=True)
arguments = parser.parse_args()

table = pandas.read_csv(arguments.table)
print(table.head())
os.makedirs("outputs", exist_ok=True)
table.to_csv("outputs/iris.csv", index=False)
