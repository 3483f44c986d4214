"""What medcam remembers: jobs now; studies, reviews and the audit trail join them. The only package that knows SQLAlchemy."""
