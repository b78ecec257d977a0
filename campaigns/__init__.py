"""What people want and whether they accept it: briefs, planning, review, delivery, insights."""
