"""What leaves after a change: events, webhooks and e-mails."""
