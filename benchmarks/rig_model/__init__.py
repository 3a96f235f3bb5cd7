"""Random schedules of edits, faults, crashes and clock jumps against a model of the owners' rules; answers cut everywhere."""
