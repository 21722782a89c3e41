"""The Chakra tool chain: link, convert, validate, obfuscate, synthesize, simulate. To come."""
