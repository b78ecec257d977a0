"""ffmpeg and ffprobe: where they are and how they are started."""
