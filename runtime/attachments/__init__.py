"""Images and PDFs in messages: what they are, where they are kept, and how models and people get to see them."""
