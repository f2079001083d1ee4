"""The ways in and out: command line, reports; later HTTP, webhooks and pages."""
