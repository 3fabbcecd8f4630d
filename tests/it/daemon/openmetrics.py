"""Reads metrics with the strict parser of the Prometheus project's own library for OpenMetrics; prints the
names of their families."""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

for family in text_string_to_metric_families(sys.stdin.read()):
    print(family.name)
