"""What a download does with one stream."""
