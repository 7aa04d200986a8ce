"""The local ECR, registry, index, base image and engine of the demo, on loopback."""
