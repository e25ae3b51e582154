"""How a derivation is told: its lines, the reasons for each, and the check that each is true."""
