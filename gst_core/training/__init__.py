"""Training: data, augmentation, loop, calibration."""
