"""Other libraries' class activation maps of MONAI's DenseNet-121, each called as its own documentation shows."""
