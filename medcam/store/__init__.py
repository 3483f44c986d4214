"""What medcam remembers: its jobs. The only package that knows SQLAlchemy."""
