"""What may be ordered: limits, the gate, sizes, stops, the kill switch. Pure rules, no input or output."""
