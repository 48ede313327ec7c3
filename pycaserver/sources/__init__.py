"""How values arrive: Channel Access."""
