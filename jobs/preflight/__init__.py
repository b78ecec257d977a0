"""What the finished films of a plan would have wrong, told before anything is paid for."""
