"""Features, passports, loading and inference. No Qt, no Nautilus; torch only where named."""
