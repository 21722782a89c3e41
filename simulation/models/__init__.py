"""Cost models: collectives, GEMM and roofline, devices, overlap slow-down. To come; nothing here is used yet."""
