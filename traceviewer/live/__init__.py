"""`/ws/`: one consumer, above all apps. Each app registers what it answers, in its AppConfig.ready()."""
