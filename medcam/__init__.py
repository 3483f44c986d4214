"""medcam shows why a chest X-ray classifier said what it said, in numbers that add up."""
