"""How many machines an archive needs: computed from what one film was measured to cost."""
