"""What the pages of campaigns, offers, collaborations and the calendar share: progress, terms and reasons in words."""
