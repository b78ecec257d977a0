"""What routing knows besides the cards: live figures, this month's volume, how busy providers are and how well."""
