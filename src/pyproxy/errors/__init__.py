"""Floor 0: every refusal and every configuration fault."""
