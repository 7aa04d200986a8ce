"""What the programs of the image `training` share."""
