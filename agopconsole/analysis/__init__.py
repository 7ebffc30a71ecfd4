"""From stored numbers to tables, statistics and charts."""
