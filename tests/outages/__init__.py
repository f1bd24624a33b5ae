"""What users and operators notice while a part fails: the measurements behind the table in docs/outages.md."""
