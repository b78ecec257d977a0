"""Reference pages that are written from the code: state machines and event types of every installed app."""
