"""What past work tells routing: figures of live attempts, this month's volume, how busy each provider was."""
