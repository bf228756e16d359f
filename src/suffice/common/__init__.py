"""What every room needs: errors, atomic files, progress, seeded draws and the plug-in registry."""
